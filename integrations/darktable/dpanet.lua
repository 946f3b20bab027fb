--[[
dpanet for darktable: deblur the dual-pixel capture of each selected image.

An image is one view of a pair (NAME_left.* and NAME_right.* in one folder, or one name in the folders inputL and
inputR; it is enough that one of them is imported), or a camera's raw file with both views (CR2, CR3, DNG). The script
runs `dpanet edit` on the file itself, so edits of darktable are not in the result: deblur first, develop then. The
result, NAME_deblurred.tif, is imported and grouped with the image.

Install: copy this file to the folder lua in darktable's folder of settings (~/.config/darktable/lua on Linux), and
add the line   require "dpanet"   to the file luarc beside that folder.
Use: "deblur dual-pixel pair" in the module "actions on selection" of the lighttable ("selected image[s]" in older
versions), or a shortcut of that name. If `dpanet` is not found, give its full path in preferences > Lua options.

Needs darktable 3.6 (Lua API 7) or later. License: MIT, as dpanet.
]]

local dt = require "darktable"

local NAME, LABEL = "dpanet", "deblur dual-pixel pair"
local WINDOWS = dt.configuration.running_os == "windows"
local SEPARATOR = WINDOWS and "\\" or "/"

local script = {}

--- Return text as one word of a command line.
local function quoted(text)
  if WINDOWS then
    return '"' .. text .. '"'
  end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then
    file:close()
  end
  return file ~= nil
end

--- Return the text of a file that is then removed; empty if there is none.
local function take(path)
  local file = io.open(path, "r")
  local text = ""
  if file then
    text = file:read("a")
    file:close()
    os.remove(path)
  end
  return text
end

--- Run a command line without stopping the window; return whether it ended well.
local function execute(command)
  if not WINDOWS then
    return dt.control.execute(command) == 0
  end
  -- the shell of Windows takes only one quoted word in a command, and any number in a file of commands
  local batch = os.tmpname() .. ".bat"
  local file = assert(io.open(batch, "w"))
  file:write("@echo off\r\n", (command:gsub("%%", "%%%%")), "\r\n")
  file:close()
  local result = dt.control.execute(batch)
  os.remove(batch)
  return result == 0
end

--- Return the sentence of the program's last error, or say that there is no such program.
local function sentence(text)
  local found, last
  for line in text:gmatch("[^\r\n]+") do
    found = line:match("^dpanet: error: (.*)") or found
    last = line
  end
  return found
    or "the program dpanet does not run (" .. (last or "it says nothing") .. "); give its path in preferences > Lua options"
end

--- Show a sentence; darktable cuts lines that are longer than its window, and each image has the same folder.
local function show(text, folder)
  local start, stop = text:find(folder .. SEPARATOR, 1, true)
  if start then
    text = text:sub(1, start - 1) .. text:sub(stop + 1)
  end
  local lines, line = {}, ""
  for word in text:gmatch("%S+") do
    if #line + #word > 60 and line ~= "" then
      table.insert(lines, line)
      line = ""
    end
    line = line == "" and word or line .. " " .. word
  end
  table.insert(lines, line)
  dt.print(table.concat(lines, "\n"))
end

--- Return the folder and the name of a capture, which are the same for both of its views.
function script.capture_of(image)
  local folder, name = image.path, image.filename:gsub("%.[^.]*$", "")
  local parent, inner = folder:match("^(.*)[/\\]([^/\\]+)$")
  if inner == "inputL" or inner == "inputR" then
    return parent, name
  end
  local stem = name:match("^(.+)_[Ll][Ee][Ff][Tt]$") or name:match("^(.+)_[Rr][Ii][Gg][Hh][Tt]$")
  return folder, stem or name
end

--- Return a path for the result at which there is no file yet.
local function free_path(folder, name)
  local start = folder .. SEPARATOR .. name .. "_deblurred"
  local path, number = start .. ".tif", 2
  while exists(path) do
    path, number = start .. "_" .. number .. ".tif", number + 1
  end
  return path
end

--- Deblur the capture of one image; return the imported result, or nil and a sentence.
local function deblur_one(image, folder, name)
  local output, log = free_path(folder, name), os.tmpname()
  local words = {
    quoted(dt.preferences.read(NAME, "program", "string")),
    "edit",
    "--edit", quoted(image.path .. SEPARATOR .. image.filename),
    "--output", quoted(output),
    "--format tiff",
    "--model", quoted(dt.preferences.read(NAME, "model", "string")),
    "2>", quoted(log),
  }
  local done = execute(table.concat(words, " "))
  local text = take(log)
  if not (done and exists(output)) then
    return nil, sentence(text)
  end
  local result = dt.database.import(output)
  if not result then
    return nil, output .. " is written, but darktable does not import it"
  end
  result:group_with(image.group_leader)
  return result
end

--- Deblur the captures of images, each capture once; return the imported results.
function script.deblur(images)
  local results, seen, captures = {}, {}, {}
  for _, image in ipairs(images) do
    local folder, name = script.capture_of(image)
    local key = folder .. SEPARATOR .. name
    if not seen[key] then
      seen[key] = true
      table.insert(captures, { image, folder, name })
    end
  end
  if #captures == 0 then
    dt.print("select a view of a dual-pixel pair, or a dual-pixel raw file")
    return results
  end
  local stopped = false
  local job = dt.gui.create_job("deblurring", true, function()
    stopped = true
  end)
  for place, capture in ipairs(captures) do
    if stopped then
      break
    end
    dt.print("deblurring " .. capture[3] .. " (" .. place .. " of " .. #captures .. ")")
    local result, problem = deblur_one(table.unpack(capture))
    if result then
      table.insert(results, result)
      dt.print(result.filename .. " is imported and grouped with " .. capture[1].filename)
    else
      show(problem, capture[1].path)
      dt.print_error("dpanet: " .. problem)
    end
    job.percent = place / #captures
  end
  job.valid = false
  return results
end

dt.preferences.register(NAME, "program", "string", "dpanet: program", "the program dpanet, with its path if needed", "dpanet")
dt.preferences.register(NAME, "model", "string", "dpanet: model", "name or file of the model, such as compact", "compact")

dt.gui.libs.image.register_action(NAME, LABEL, function(_, images)
  script.deblur(images)
end, "deblur each selected dual-pixel capture, import the result and group it")

dt.register_event(NAME, "shortcut", function()
  script.deblur(dt.gui.action_images)
end, LABEL)

-- what darktable's script manager asks for
function script.destroy()
  dt.gui.libs.image.destroy_action(NAME)
  dt.destroy_event(NAME, "shortcut")
end

return script
