-- The plugin's options: their defaults, and what is said about wrong ones.
local M = {}

---@class quickfill.Keymaps
---@field accept string|false all of the suggestion, or the next edit; an ordinary <Tab> where there is none
---@field accept_word string|false its next word
---@field accept_line string|false its next line
---@field next string|false another suggestion for the same place
---@field previous string|false
---@field dismiss string|false

---@class quickfill.Options
---@field cmd? string[] how to start the server; by default the one in the project's .venv, or on the PATH
---@field filetypes? string[] the files it is for
---@field root_markers? string[] what marks the folder of a project
---@field settings? table the server's own settings, see its documentation
---@field keymaps? quickfill.Keymaps|false
---@field mark? string what stands for a hole in a text, for `:Quickfill fill`
---@field denoise? boolean draw the canvas of what was asked for while it is denoised
---@field next_edit? boolean show next edits unasked

local defaults = {
  -- stylua: ignore
  filetypes = {
    "python", "javascript", "javascriptreact", "typescript", "typescriptreact", "go", "rust", "java", "c", "cpp", "cs",
    "css", "haskell", "html", "json", "kotlin", "lua", "make", "markdown", "perl", "php", "r", "ruby", "scala", "sh",
    "sql", "swift", "toml", "yaml",
  },
  root_markers = { ".git", "pyproject.toml", "package.json", "go.mod", "Cargo.toml" },
  settings = {},
  keymaps = {
    accept = "<Tab>",
    accept_word = "<M-w>",
    accept_line = "<M-l>",
    next = "<M-]>",
    previous = "<M-[>",
    dismiss = "<M-e>",
  },
  mark = "<fill>",
  denoise = false,
  next_edit = true,
}

local current = vim.deepcopy(defaults)

--- Whether a list is one of texts.
local function is_list_of_texts(value)
  return vim.islist(value) and vim.iter(value):all(function(item)
    return type(item) == "string"
  end)
end

local checks = {
  cmd = { is_list_of_texts, "a list of texts, the command and its arguments" },
  filetypes = { is_list_of_texts, "a list of file types" },
  root_markers = { is_list_of_texts, "a list of file names" },
  settings = { "table" },
  keymaps = {
    function(value)
      return value == false or type(value) == "table"
    end,
    "a table of keys, or false",
  },
  mark = {
    function(value)
      return type(value) == "string" and value ~= ""
    end,
    "a text",
  },
  denoise = { "boolean" },
  next_edit = { "boolean" },
}

--- Take the user's options over the defaults. An option that is unknown or cannot be used is named, and its default
--- stays.
---@param options? quickfill.Options
function M.set(options)
  current = vim.deepcopy(defaults)
  for name, value in pairs(options or {}) do
    if not checks[name] then
      local known = table.concat(vim.fn.sort(vim.tbl_keys(checks)), ", ")
      vim.notify(("Quickfill: there is no option %q; there are %s"):format(name, known), vim.log.levels.WARN)
    else
      local fits, message = pcall(vim.validate, name, value, unpack(checks[name]))
      if not fits then
        vim.notify("Quickfill: " .. message, vim.log.levels.WARN)
      elseif name == "keymaps" and value then
        current.keymaps = vim.tbl_extend("force", defaults.keymaps, value)
      else
        current[name] = value
      end
    end
  end
end

---@return quickfill.Options
function M.get()
  return current
end

return M
