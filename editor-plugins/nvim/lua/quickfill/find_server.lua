-- Finds the server's program: as configured, or in the project's virtual environment, the active one, or the PATH.
local M = {}

local windows = vim.fn.has("win32") == 1
local PROGRAM = windows and "Scripts\\quickfill.exe" or "bin/quickfill"

--- Whether a file came with the repository: such a program was written by others, and would be run unasked.
local function is_tracked(file)
  if vim.fn.executable("git") == 0 then
    return false
  end
  local folder, name = vim.fs.dirname(file), vim.fs.basename(file)
  return vim.system({ "git", "-C", folder, "ls-files", "--error-unmatch", name }):wait(2000).code == 0
end

---@param root? string the project's folder
---@return string? program
local function program(root)
  local folders = {}
  if root then
    vim.list_extend(folders, { vim.fs.joinpath(root, ".venv"), vim.fs.joinpath(root, "venv") })
  end
  table.insert(folders, vim.env.VIRTUAL_ENV)
  for _, folder in ipairs(folders) do
    local file = vim.fs.joinpath(folder, PROGRAM)
    if vim.fn.executable(file) == 1 and not is_tracked(file) then
      return file
    end
  end
  if vim.fn.executable("quickfill") == 1 then
    return vim.fn.exepath("quickfill")
  end
  local own = vim.fs.normalize("~/.local/bin/quickfill")
  return vim.fn.executable(own) == 1 and own or nil
end

--- The command that starts the server; nil where its program cannot be found.
---@param cmd? string[] as configured
---@param root? string
---@return string[]?
function M.command(cmd, root)
  if cmd then
    return vim.fn.executable(cmd[1]) == 1 and cmd or nil
  end
  local found = program(root)
  return found and { found, "lsp" } or nil
end

--- What a user has to do where it is not found.
---@param cmd? string[]
---@return string[]
function M.remedies(cmd)
  local install = "install it: " .. require("quickfill.installation").command()
  local name = 'name it: require("quickfill").setup({ cmd = { "/path/to/quickfill", "lsp" } })'
  return cmd and { "correct `cmd` in setup: " .. cmd[1], install } or { install, name }
end

local said = false

--- Say once what is missing.
---@param cmd? string[]
function M.say_missing(cmd)
  if said then
    return
  end
  said = true
  local where = cmd and ("`%s` of setup cannot be run"):format(cmd[1])
    or "its server is neither in the project's .venv nor on the PATH"
  vim.notify(
    ("Quickfill: %s.\n%s\nThen open the file again."):format(where, table.concat(M.remedies(cmd), "\nor ")),
    vim.log.levels.WARN
  )
end

return M
