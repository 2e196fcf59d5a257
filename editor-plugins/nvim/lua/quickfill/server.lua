-- The language server: its configuration, its state, and what it tells.
local find_server = require("quickfill.find_server")

local M = {}

local NAME = "quickfill"

---@class quickfill.Status
---@field state string `loading`, `ready`, `working` or `error`
---@field message? string
---@field abilities? table<string, boolean>

---@type quickfill.Status?
local status

---@param config quickfill.Options
function M.enable(config)
  if config.denoise then
    require("quickfill.denoising").enable()
  end
  vim.lsp.config(NAME, {
    cmd = function(dispatchers, own)
      local command = assert(find_server.command(config.cmd, own.root_dir), "the program is gone")
      return vim.lsp.rpc.start(command, dispatchers)
    end,
    filetypes = config.filetypes,
    root_dir = function(buffer, start)
      local root = vim.fs.root(buffer, config.root_markers)
      if find_server.command(config.cmd, root) then
        start(root)
      else
        find_server.say_missing(config.cmd)
      end
    end,
    settings = { quickfill = config.settings },
    -- A next edit of another file is gone to and made by `quickfill.next_edit`.
    capabilities = { experimental = { quickfill = { nextEditOtherFiles = true, lateSuggestions = true } } },
    init_options = vim.tbl_extend("force", { denoising = config.denoise }, config.settings),
    handlers = {
      ["quickfill/didChangeStatus"] = function(_, received)
        status = received
        vim.api.nvim_exec_autocmds("User", { pattern = "QuickfillStatus", data = received })
        vim.cmd.redrawstatus()
      end,
      ["quickfill/didDenoise"] = function(_, snapshot)
        require("quickfill.denoising").show(snapshot)
      end,
      ["quickfill/didFindSuggestion"] = function(_, found, context)
        require("quickfill.suggestion").ask_again(found.textDocument, context.client_id)
      end,
    },
    on_attach = function(client, buffer)
      require("quickfill.pause").follow(buffer)
      require("quickfill.next_edit").follow(buffer, client)
      require("quickfill.resting").follow(buffer, client)
      require("quickfill.suggestion").follow(buffer)
    end,
    on_exit = function(code)
      status = nil
      if code ~= 0 then
        vim.schedule(function()
          vim.notify(
            ("Quickfill: its server has stopped with code %d; see :Quickfill log"):format(code),
            vim.log.levels.ERROR
          )
        end)
      end
    end,
  })
  vim.lsp.enable(NAME)
end

--- The server of a buffer, or nil after saying that there is none.
---@param buffer integer
---@return vim.lsp.Client?
function M.client(buffer)
  local client = vim.lsp.get_clients({ name = NAME, bufnr = buffer })[1]
  if not client then
    vim.notify(
      "Quickfill has no server for this buffer; see :checkhealth quickfill",
      vim.log.levels.WARN
    )
  end
  return client
end

--- Whether the model is known to have learned to rewrite code.
---@return boolean
function M.can_rewrite()
  local abilities = status and status.abilities
  return type(abilities) == "table" and abilities.rewrites == true
end

--- What the server last said about itself.
---@return quickfill.Status?
function M.status()
  return status
end

return M
