-- `:Quickfill` and its commands: fill, edit, next, pause, resume, toggle, status, log.
local pause = require("quickfill.pause")
local server = require("quickfill.server")

local M = {}

local requests = 0

--- Request an edit of the buffer as it is now, draw it while it is denoised if that is wanted, and hand it on unless
--- the buffer has changed meanwhile.
---@param client vim.lsp.Client
---@param method string
---@param parameters table what there is to say besides the document
---@param buffer integer
---@param take fun(edit: lsp.WorkspaceEdit, seconds: number) what becomes of it
local function request(client, method, parameters, buffer, take)
  local asked_at, started = vim.api.nvim_buf_get_changedtick(buffer), vim.uv.hrtime()
  local denoising = require("quickfill.denoising")
  requests = requests + 1
  local token = "quickfill-" .. requests
  parameters.textDocument = vim.lsp.util.make_text_document_params(buffer)
  parameters.textDocument.version = vim.lsp.util.buf_versions[buffer]
  parameters.denoising = require("quickfill.config").get().denoise
  parameters.workDoneToken = token
  denoising.begin(token, parameters.ranges)
  vim.api.nvim_echo({ { "Quickfill is writing…" } }, false, {})
  client:request(method, parameters, function(failure, edit)
    denoising.finish(token, buffer)
    local changed = not vim.api.nvim_buf_is_valid(buffer) or vim.api.nvim_buf_get_changedtick(buffer) ~= asked_at
    if changed then
      vim.notify("Quickfill: the text has changed meanwhile; nothing was written", vim.log.levels.WARN)
    elseif failure then
      vim.notify("Quickfill: " .. failure.message, vim.log.levels.ERROR)
    elseif not edit or edit == vim.NIL then
      vim.notify("Quickfill has nothing to suggest here", vim.log.levels.INFO)
    else
      take(edit, (vim.uv.hrtime() - started) / 1e9)
    end
  end, buffer)
end

--- The places of the mark in a range of lines, as ranges of the protocol, with their text removed by the answer.
---@param buffer integer
---@param first integer the first line, from 0
---@param last integer behind the last line
---@return lsp.Range[]
local function holes(buffer, first, last, client)
  local mark = require("quickfill.config").get().mark
  local found = {}
  for row, line in ipairs(vim.api.nvim_buf_get_lines(buffer, first, last, false)) do
    local from = 1
    while true do
      local start, stop = line:find(mark, from, true)
      if not start then
        break
      end
      local range = vim.range.extmark(buffer, first + row - 1, start - 1, first + row - 1, stop)
      table.insert(found, range:to_lsp(client.offset_encoding))
      from = stop + 1
    end
  end
  return found
end

--- Fill every mark of a range of lines; without a mark the hole is the cursor's place.
local function fill(arguments, buffer, client)
  local first, last = 0, -1
  if arguments.range > 0 then
    first, last = arguments.line1 - 1, arguments.line2
  end
  local ranges = holes(buffer, first, last, client)
  if #ranges == 0 then
    local place = vim.lsp.util.make_position_params(0, client.offset_encoding).position
    ranges = { { start = place, ["end"] = place } }
  end
  request(client, "quickfill/fill", { ranges = ranges }, buffer, function(filled, seconds)
    vim.lsp.util.apply_workspace_edit(filled, client.offset_encoding)
    local holes_filled = #ranges == 1 and "1 hole" or ("%d holes"):format(#ranges)
    vim.notify(("Quickfill filled %s in %.1f s; u takes it back"):format(holes_filled, seconds), vim.log.levels.INFO)
  end)
end

--- Rewrite a range of lines, as the words behind the command, or the user when asked, say, and show the difference.
local function edit(arguments, buffer, client)
  local function rewrite(instruction)
    if not instruction then
      return
    end
    local last = vim.api.nvim_buf_get_lines(buffer, arguments.line2 - 1, arguments.line2, false)[1] or ""
    local range = vim.range.extmark(buffer, arguments.line1 - 1, 0, arguments.line2 - 1, #last)
    local parameters = { range = range:to_lsp(client.offset_encoding), instruction = instruction }
    request(client, "quickfill/edit", parameters, buffer, function(rewritten)
      local title = instruction == "" and "Rewrite" or instruction
      require("quickfill.rewrite_preview").show(rewritten, buffer, client, title)
    end)
  end
  local words = table.concat(vim.list_slice(arguments.fargs, 2), " ")
  if words ~= "" then
    rewrite(words)
  else
    vim.ui.input({ prompt = "Rewrite the lines how? (empty: as Quickfill thinks best) " }, rewrite)
  end
end

--- Show the next edit; <Tab> makes it.
local function next_edit(_, buffer, client)
  require("quickfill.next_edit").ask(buffer, client, vim.lsp.protocol.InlineCompletionTriggerKind.Invoked)
end

--- The state of the server in a few lines.
local function describe(status, buffer)
  local left = pause.left(buffer)
  local lines = {
    ("Quickfill is %s"):format(left and pause.words(left) or status.state),
    ("model: %s%s"):format(status.model, status.version and status.version ~= vim.NIL and " " .. status.version or ""),
  }
  for name, value in vim.spairs(status.runtime or {}) do
    table.insert(lines, ("%s: %s"):format(name, value))
  end
  for _, index in ipairs(status.indexes or {}) do
    table.insert(lines, ("index: %d files of %s%s"):format(index.files, index.folder, index.building and ", being read" or ""))
  end
  if status.message and status.message ~= "" then
    table.insert(lines, status.message)
  end
  return table.concat(lines, "\n")
end

local function show_status(_, buffer, client)
  client:request("quickfill/status", vim.empty_dict(), function(failure, answer)
    vim.notify(failure and "Quickfill: " .. failure.message or describe(answer, buffer), vim.log.levels.INFO)
  end, buffer)
end

--- `pause [buffer] [TIME]`: in the project, or this buffer alone, until it is resumed, or for a time as `10m`.
local function pause_suggestions(arguments, buffer)
  local words = vim.list_slice(arguments.fargs, 2)
  local only_here = words[1] == "buffer"
  local time = words[only_here and 2 or 1]
  local seconds = time and pause.seconds(time)
  if time and not seconds then
    vim.notify(("Quickfill: %q is no time; write 30s, 10m or 1h"):format(time), vim.log.levels.ERROR)
    return
  end
  pause.pause(buffer, only_here, seconds)
  local where = only_here and "in this buffer" or "in this project"
  vim.notify(("Quickfill is %s %s; :Quickfill resume"):format(pause.words(seconds or math.huge), where), vim.log.levels.INFO)
end

local function resume_suggestions(_, buffer)
  pause.resume(buffer)
  vim.notify("Quickfill suggests again", vim.log.levels.INFO)
end

local function toggle(arguments, buffer)
  (pause.left(buffer) and resume_suggestions or pause_suggestions)(arguments, buffer)
end

local function open_log()
  vim.cmd.tabnew(vim.fn.fnameescape(vim.lsp.log.get_filename()))
end

local commands = {
  fill = fill,
  edit = edit,
  next = next_edit,
  pause = pause_suggestions,
  resume = resume_suggestions,
  toggle = toggle,
  status = show_status,
  log = open_log,
}

--- What the menu offers, in its order.
local function menu(buffer)
  local entries = {
    { "fill", "Fill the marked holes, or what is missing at the cursor" },
    { "next", "Show the next edit" },
    pause.left(buffer) and { "resume", "Suggest again" } or { "pause", "Pause suggestions in this project" },
    { "status", "Show the state of the server" },
    { "log", "Open the log of Neovim's language clients" },
  }
  if server.can_rewrite() then
    table.insert(entries, 2, { "edit", "Rewrite the lines by an instruction" })
  end
  return entries
end

local function choose(arguments, buffer)
  local options = {
    prompt = "Quickfill",
    format_item = function(entry)
      return ("%-7s %s"):format(entry[1], entry[2])
    end,
  }
  vim.ui.select(menu(buffer), options, function(entry)
    if entry then
      arguments.fargs = { entry[1] }
      M.run(arguments)
    end
  end)
end

---@param arguments vim.api.keyset.create_user_command.command_args
function M.run(arguments)
  local name, buffer = arguments.fargs[1], vim.api.nvim_get_current_buf()
  if not name then
    choose(arguments, buffer)
  elseif name == "log" then
    open_log()
  elseif not commands[name] then
    local known = table.concat(vim.fn.sort(vim.tbl_keys(commands)), ", ")
    vim.notify(("Quickfill: there is no command %q; there are %s"):format(name, known), vim.log.levels.ERROR)
  else
    local client = server.client(buffer)
    if client then
      commands[name](arguments, buffer, client)
    end
  end
end

--- Complete the name of a command. A rewrite is offered where the model has learned to rewrite code.
function M.complete(leading, line)
  if line:match("^%S*%s+%S*$") or line:match("Quickfill%s+%S*$") then
    local names = vim.tbl_filter(function(name)
      return name ~= "edit" or server.can_rewrite()
    end, vim.fn.sort(vim.tbl_keys(commands)))
    return vim.tbl_filter(function(name)
      return vim.startswith(name, leading)
    end, names)
  end
  return {}
end

return M
