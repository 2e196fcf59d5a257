-- Suggestions that nobody asked for can be paused, in one buffer or in a project. Both are remembered.
local M = {}

--- When the pause of a file or of a project ends, in seconds since 1970; math.huge where it does not end by itself. A
--- buffer without a file goes by its number.
---@type table<integer|string, number>
local ends = {}

local UNITS = { s = 1, m = 60, h = 3600 }

local function file()
  return vim.fs.joinpath(vim.fn.stdpath("state"), "quickfill-paused.json")
end

--- The project of a buffer, as its server has it; the working folder where it has none.
---@return string
local function project(buffer)
  local client = vim.lsp.get_clients({ name = "quickfill", bufnr = buffer })[1]
  return client and client.root_dir or vim.fn.getcwd()
end

--- What a pause of a buffer alone is remembered by: its file. A buffer without one has a number, and is forgotten with it.
---@return string|integer
local function own_key(buffer)
  local name = vim.api.nvim_buf_get_name(buffer)
  return name ~= "" and name or buffer
end

--- What is remembered. A file that cannot be read is as none.
local function remembered()
  local opened = io.open(file())
  local decoded, found = pcall(vim.json.decode, opened and opened:read("*a") or "{}")
  if opened then
    opened:close()
  end
  return decoded and type(found) == "table" and found or {}
end

---@param where string
---@param till? number
local function remember(where, till)
  local all = remembered()
  all[where] = till and (till == math.huge and -1 or till) or nil
  vim.fn.mkdir(vim.fs.dirname(file()), "p")
  local opened = io.open(file(), "w")
  if opened then
    opened:write(vim.json.encode(vim.tbl_isempty(all) and vim.empty_dict() or all))
    opened:close()
  end
end

--- Seconds of a time such as `10m`, `1h` or `30s`; minutes where it is a number alone.
---@param text string
---@return number?
function M.seconds(text)
  local number, unit = text:match("^(%d+)([smh]?)$")
  return number and tonumber(number) * (UNITS[unit] or UNITS.m) or nil
end

local function is_running(till)
  return till ~= nil and till > os.time()
end

--- Seconds until suggestions come again in a buffer; nil where they are not paused, math.huge without an end.
---@param buffer integer
---@return number?
function M.left(buffer)
  local latest = math.max(ends[own_key(buffer)] or 0, ends[project(buffer)] or 0)
  return is_running(latest) and latest - os.time() or nil
end

--- Show suggestions in a buffer, or hide them, as its pause says.
---@param buffer integer
function M.update(buffer)
  if vim.api.nvim_buf_is_valid(buffer) then
    local client = vim.lsp.get_clients({ name = "quickfill", bufnr = buffer })[1]
    if client then
      require("quickfill.native").let_suggest(buffer, client, M.left(buffer) == nil)
    end
  end
end

local function update_all()
  for _, client in ipairs(vim.lsp.get_clients({ name = "quickfill" })) do
    for buffer in pairs(client.attached_buffers) do
      M.update(buffer)
    end
  end
  vim.api.nvim_exec_autocmds("User", { pattern = "QuickfillStatus", data = require("quickfill.server").status() })
end

--- Pause suggestions.
---@param buffer integer
---@param only_here boolean in this buffer alone; otherwise in its project
---@param seconds? number for so long; nil until they are resumed
function M.pause(buffer, only_here, seconds)
  local till = seconds and os.time() + seconds or math.huge
  local where = only_here and own_key(buffer) or project(buffer)
  ends[where] = till
  if type(where) == "string" then
    remember(where, till)
  end
  if seconds then
    -- A second more, since the clock counts whole ones.
    vim.defer_fn(update_all, (seconds + 1) * 1000)
  end
  update_all()
end

--- End the pause of a buffer and of its project.
---@param buffer integer
function M.resume(buffer)
  for _, where in ipairs({ own_key(buffer), project(buffer) }) do
    ends[where] = nil
    if type(where) == "string" then
      remember(where, nil)
    end
  end
  update_all()
end

--- Take up the pauses that are remembered of a buffer and of its project.
---@param buffer integer
function M.follow(buffer)
  local all = remembered()
  for _, where in ipairs({ own_key(buffer), project(buffer) }) do
    local till = all[where]
    if type(till) == "number" and ends[where] == nil then
      ends[where] = till == -1 and math.huge or till
      if is_running(ends[where]) and till ~= -1 then
        vim.defer_fn(update_all, (till - os.time() + 1) * 1000)
      end
    end
  end
  M.update(buffer)
end

--- The rest of a pause in words.
---@param seconds number
---@return string
function M.words(seconds)
  if seconds == math.huge then
    return "paused"
  elseif seconds < 60 then
    return ("paused for %d s"):format(seconds)
  elseif seconds < 3600 then
    return ("paused for %d min"):format(math.ceil(seconds / 60))
  end
  return ("paused for %.1f h"):format(seconds / 3600)
end

return M
