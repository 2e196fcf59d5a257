-- The command that installs the server, as `installation.json` says: in a clone of the repository that of `coder`, in a
-- released plugin the copy beside its `lua` folder.
local M = {}

local function read(file)
  local text = io.open(file)
  if not text then
    return nil
  end
  local found = vim.json.decode(text:read("*a"), { luanil = { object = true } })
  text:close()
  return found
end

---@return string
function M.command()
  local here = vim.fs.normalize(debug.getinfo(1, "S").source:sub(2))
  local plugin = vim.fs.dirname(vim.fs.dirname(vim.fs.dirname(vim.uv.fs_realpath(here) or here)))
  local clone = vim.fs.dirname(vim.fs.dirname(plugin))
  local advice = read(plugin .. "/installation.json") or read(clone .. "/coder/installation.json")
  if not advice then
    return "see docs/install.md in Quickfill's repository"
  end
  return ('%s "%s"'):format(advice.command, advice.source or clone)
end

return M
