from dpanet.datasets import open_dataset


def relative(scene, root) -> set[str]:
    assert len(set(scene.files)) == len(scene.files)
    assert all(path.is_file() for path in scene.files)
    return {path.relative_to(root).as_posix() for path in scene.files}


def test_the_files_of_a_scene_are_all_that_its_score_depends_on(dpdd) -> None:
    scene = open_dataset(dpdd, "dpdd").scenes[0]
    assert [path.name for path in scene.pictures] == [
        "1P0A0917_L.png",
        "1P0A0917_R.png",
        "1P0A0916.png",
    ]
    assert relative(scene, dpdd) == {
        "test_c/source/1P0A0917.png",
        "test_l/source/1P0A0917_L.png",
        "test_r/source/1P0A0917_R.png",
        "test_c/target/1P0A0916.png",
    }


def test_the_finished_pictures_of_other_methods_are_files_of_the_scene(pairs) -> None:
    scene = open_dataset(pairs, "pairs").scenes[0]
    assert relative(scene, pairs) == {f"a_{part}.png" for part in ("left", "right", "sharp", "dpdnet")}


def test_combined_pictures_are_files_of_the_scene(restormer) -> None:
    scene = open_dataset(restormer, "restormer").scenes[0]
    assert relative(scene, restormer) == {
        f"test/DPDD/{part}/1.png" for part in ("inputL", "inputR", "inputC", "target")
    }
