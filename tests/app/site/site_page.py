"""Open an exported site, and call its modules with bytes and arrays."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CALL = """async ({ module, name, arguments }) => {
  const functions = await import(`./browser/${module}`);
  const toBytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const decode = (value) => {
    if (value?.file !== undefined) return new File([toBytes(value.data)], value.file);
    if (value?.bits !== undefined && typeof value.data === 'string') {
      const bytes = toBytes(value.data);
      const codes = value.bits === 16 ? new Uint16Array(bytes.buffer) : bytes;
      const fields = ['icc', 'exif'].filter((key) => value[key]).map((key) => [key, toBytes(value[key])]);
      return { ...value, codes, ...Object.fromEntries(fields) };
    }
    return value;
  };
  const encode = async (value) => {
    if (value instanceof Blob) value = new Uint8Array(await value.arrayBuffer());
    if (!ArrayBuffer.isView(value)) return value;
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    let text = '';
    for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
    return btoa(text);
  };
  try {
    const result = await functions[name](...arguments.map(decode));
    if (result?.constructor !== Object) return await encode(result);
    const encoded = {};
    for (const [key, one] of Object.entries(result)) encoded[key] = await encode(one);
    return encoded;
  } catch (error) {
    if (error.name !== 'PictureError') throw error;
    return { error: error.message };
  }
}"""


def open_site(context: Any, address: str) -> Any:
    """Return the page of a site, isolated and stored for use without a network."""
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("body[data-offline]")
    return page


def choose(page: Any, files: list[Path]) -> None:
    page.set_input_files("#files", files)


def deblur(page: Any, files: list[Path]) -> None:
    choose(page, files)
    page.get_by_role("button", name="Deblur").click()
    page.wait_for_selector("#result:not([hidden])")


def save(page: Any, kind: str) -> tuple[str, bytes]:
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Download {kind}").click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def shown(page: Any, name: str) -> Any:
    """Return what the picture `before` or `after` shows, H x W x 3."""
    width, height, pixels = page.evaluate(
        """async (name) => {
          const picture = await createImageBitmap(document.querySelector(`img.${name}`));
          const { width, height } = picture;
          const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
          context.drawImage(picture, 0, 0);
          const { data } = context.getImageData(0, 0, width, height);
          let text = '';
          for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
          return [width, height, btoa(text)];
        }""",
        name,
    )
    return np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(height, width, 4)[..., :3]


def error(page: Any) -> str:
    page.wait_for_selector("#message:not([hidden])")
    return str(page.locator("#message p").inner_text())


def call(page: Any, module: str, name: str, *arguments: Any) -> Any:
    """Call a function of a module of the site; bytes are base64, and {file, data} is a file."""
    return page.evaluate(_CALL, {"module": module, "name": name, "arguments": list(arguments)})


def read(page: Any, name: str, data: bytes) -> dict[str, Any]:
    """Return what the site reads of a file, or {"error": a sentence}."""
    result: dict[str, Any] = call(
        page, "read_picture.js", "readPicture", {"file": name, "data": to_base64(data)}
    )
    if "error" in result:
        return result
    kind = np.uint16 if result["bits"] == 16 else np.uint8
    shape = (result["height"], result["width"])
    for key in ("codes", "alpha", "icc", "exif"):
        if result[key] is not None:
            result[key] = base64.b64decode(result[key])
    result["codes"] = np.frombuffer(result["codes"], kind).reshape(*shape, -1)
    if result["alpha"] is not None:
        result["alpha"] = np.frombuffer(result["alpha"], kind).reshape(shape)
    return result


def as_picture(codes: NDArray[Any], **fields: Any) -> dict[str, Any]:
    """Return an array H x W (gray) or H x W x 3, uint8 or uint16, as the modules take it."""
    return {
        "width": codes.shape[1],
        "height": codes.shape[0],
        "channels": 1 if codes.ndim == 2 else 3,
        "bits": 8 * codes.dtype.itemsize,
        "data": to_base64(codes.tobytes()),
        "chunks": {},
        **fields,
    }


def to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
