;;; quickfill-connection.el --- Quickfill's server, through Eglot or lsp-mode  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; A part of quickfill.el.  What both clients have in common is at the end: requests about the current buffer, whichever of
;; them connects it.

;;; Code:

(require 'eglot)
(require 'seq)

(declare-function quickfill-mode "quickfill" (&optional arg))
(declare-function quickfill--suggest-again "quickfill" ())
(declare-function quickfill--ask-instruction "quickfill" (argument))
(declare-function quickfill--preview "quickfill-preview" (edit))

(defgroup quickfill nil "Whole-block suggestions from a diffusion model." :group 'tools)

(defcustom quickfill-command '("quickfill" "lsp")
  "How to start the server."
  :type '(repeat string))

(defcustom quickfill-settings nil
  "The server's own settings, a property list: (:gate 0.3 :nextEdit :json-false)."
  :type 'plist)

(defcustom quickfill-modes
  '((python-mode :language-id "python") (python-ts-mode :language-id "python")
    (js-mode :language-id "javascript") (js-ts-mode :language-id "javascript")
    (typescript-ts-mode :language-id "typescript") (tsx-ts-mode :language-id "typescriptreact")
    (go-ts-mode :language-id "go") (rust-ts-mode :language-id "rust")
    (java-mode :language-id "java") (java-ts-mode :language-id "java")
    (c-mode :language-id "c") (c-ts-mode :language-id "c")
    (c++-mode :language-id "cpp") (c++-ts-mode :language-id "cpp")
    (ruby-mode :language-id "ruby") (sh-mode :language-id "shellscript") (lua-mode :language-id "lua"))
  "The major modes that Eglot starts Quickfill for, and their languages' names."
  :type '(repeat sexp))

(defvar quickfill--state "" "What the server last said of itself.")

(defun quickfill--set-state (state)
  "Remember the STATE of the server, and show it."
  (setq quickfill--state state)
  (force-mode-line-update t))

(defun quickfill--say (message)
  "Tell the user MESSAGE."
  (message "Quickfill: %s" message))

;;;; Eglot

(defclass quickfill-server (eglot-lsp-server) () :documentation "A Quickfill language server.")

(cl-defmethod eglot-initialization-options ((_server quickfill-server))
  "The user's settings."
  (or quickfill-settings (make-hash-table)))

(cl-defmethod eglot-client-capabilities ((_server quickfill-server))
  "Eglot's own, with ghost text and the question for an instruction."
  (let ((capabilities (copy-tree (cl-call-next-method))))
    (plist-put (plist-get capabilities :textDocument) :inlineCompletion '(:dynamicRegistration :json-false))
    (plist-put capabilities :experimental '(:quickfill (:askInstruction t :actionCommands t :lateSuggestions t)))))

(cl-defmethod eglot-handle-notification
  ((_server quickfill-server) (_method (eql quickfill/didChangeStatus)) &key state &allow-other-keys)
  "Show STATE in the mode lines."
  (quickfill--set-state state))

(cl-defmethod eglot-handle-notification
  ((_server quickfill-server) (_method (eql quickfill/didFindSuggestion)) &key &allow-other-keys)
  "Show what came too late for its request, if the user still waits for it."
  (quickfill--suggest-again))

(cl-defmethod eglot-handle-request
  ((_server quickfill-server) (_method (eql workspace/applyEdit)) &key label edit)
  "Show EDIT before it is made, unless by its LABEL it fills holes.
It counts as applied: the server has no more to do with it."
  (if (equal label "Quickfill: Fill the holes")
      (cl-call-next-method)
    (quickfill--preview edit)
    '(:applied t)))

(cl-defmethod eglot-execute ((_server quickfill-server) action)
  "Do what ACTION, of code or a command, says."
  (quickfill--run-command (if (consp (plist-get action :command)) (plist-get action :command) action)))

;;;###autoload
(defun quickfill-setup-eglot ()
  "Make Quickfill the server that Eglot starts for `quickfill-modes'."
  (setf (alist-get quickfill-modes eglot-server-programs nil nil #'equal)
        (lambda (&rest _) (cons 'quickfill-server quickfill-command)))
  (add-hook 'eglot-managed-mode-hook #'quickfill--follow-eglot))

(defun quickfill--follow-eglot ()
  "Show suggestions in buffers of Quickfill's, as long as Eglot manages them."
  (quickfill-mode (if (and (eglot-managed-p) (quickfill--eglot-server)) 1 -1)))

(defun quickfill--eglot-server ()
  "Eglot's connection to Quickfill for this buffer, if there is one."
  (let ((server (eglot-current-server)))
    (and (cl-typep server 'quickfill-server) server)))

;;;; lsp-mode

(declare-function lsp--point-to-position "lsp-mode" (point))
(declare-function lsp--range-to-region "lsp-mode" (range))
(declare-function lsp--versioned-text-document-identifier "lsp-mode")
(declare-function lsp--apply-workspace-edit "lsp-mode" (edit &optional operation))
(declare-function lsp--client-server-id "lsp-mode" (client))
(declare-function lsp--workspace-client "lsp-mode" (workspace))
(declare-function lsp-register-client "lsp-mode" (client))
(declare-function lsp-request-async "lsp-mode" (method params callback &rest options))
(declare-function lsp-stdio-connection "lsp-mode" (command))
(declare-function lsp-workspaces "lsp-mode")
(declare-function make-lsp-client "lsp-mode" (&rest slots))
(defvar lsp--cur-workspace)
(defvar lsp-mode)

(defconst quickfill--action-commands
  '("quickfill.fillHoles" "quickfill.rewrite" "quickfill.writeDocstring" "quickfill.repair" "quickfill.askInstruction")
  "What code actions do.")

;;;###autoload
(defun quickfill-setup-lsp-mode ()
  "Let lsp-mode start Quickfill beside the server of a buffer's language."
  (require 'lsp-mode)
  (require 'lsp-inline-completion)
  (lsp-register-client
   (make-lsp-client
    :new-connection (lsp-stdio-connection (lambda () quickfill-command))
    :activation-fn (lambda (_file mode) (provided-mode-derived-p mode 'prog-mode))
    :server-id 'quickfill
    :add-on? t
    :priority -2
    ;; It shows ghost text, but says so in a way that leaves room for doubt.
    :initialization-options (lambda () (append quickfill-settings
                                               (unless (plist-member quickfill-settings :completionMenu)
                                                 '(:completionMenu "never"))))
    :custom-capabilities '((experimental . ((quickfill . ((askInstruction . t) (actionCommands . t))))))
    :action-handlers (quickfill--table quickfill--action-commands #'quickfill--run-command)
    :notification-handlers (quickfill--table
                            '("quickfill/didChangeStatus")
                            (lambda (_workspace status) (quickfill--set-state (quickfill--get status :state)))))))

(defun quickfill--table (keys value)
  "A hash table that has VALUE at each of KEYS, as lsp-mode wants it."
  (let ((table (make-hash-table :test #'equal)))
    (dolist (key keys table)
      (puthash key value table))))

(defun quickfill--lsp-workspace ()
  "The connection of lsp-mode to Quickfill for this buffer, if there is one."
  (and (bound-and-true-p lsp-mode)
       (seq-find (lambda (workspace) (eq (lsp--client-server-id (lsp--workspace-client workspace)) 'quickfill))
                 (lsp-workspaces))))

;;;; Both

(defun quickfill--get (object key)
  "The value of KEY, a keyword, in OBJECT.
It is a property list, as Eglot has it, or a hash table, as lsp-mode does."
  (if (hash-table-p object) (gethash (substring (symbol-name key) 1) object) (plist-get object key)))

(defun quickfill--position (point)
  "POINT in the protocol's terms."
  (if (quickfill--eglot-server) (eglot--pos-to-lsp-position point) (lsp--point-to-position point)))

(defun quickfill--range (beginning end)
  "The text between BEGINNING and END in the protocol's terms."
  (list :start (quickfill--position beginning) :end (quickfill--position end)))

(defun quickfill--region (range)
  "The places in the buffer, (BEGINNING . END), of RANGE."
  (if (quickfill--eglot-server) (eglot-range-region range) (lsp--range-to-region range)))

(defun quickfill--send (method params then otherwise)
  "Request METHOD with PARAMS about this buffer.
THEN gets the answer, OTHERWISE an error's message."
  (let ((server (quickfill--eglot-server))
        (workspace (quickfill--lsp-workspace)))
    (cond
     (server
      (eglot--signal-textDocument/didChange)
      (jsonrpc-async-request
       server (intern (concat ":" method)) (append (list :textDocument (eglot--VersionedTextDocumentIdentifier)) params)
       :success-fn then :error-fn (lambda (failure) (funcall otherwise (plist-get failure :message))) :timeout nil))
     (workspace
      (let ((lsp--cur-workspace workspace))
        (lsp-request-async
         method (append (list :textDocument (lsp--versioned-text-document-identifier)) params) then
         :mode 'detached :error-handler (lambda (failure) (funcall otherwise (quickfill--get failure :message))))))
     (t (user-error "Quickfill has no server for this buffer")))))

(defun quickfill--request (method params then otherwise)
  "Request METHOD with PARAMS about the text as it is.
THEN gets the answer unless the text has changed, OTHERWISE what went wrong."
  (let ((buffer (current-buffer)) (tick (buffer-chars-modified-tick)))
    (quickfill--send method params
                     (lambda (answer)
                       (when (buffer-live-p buffer)
                         (with-current-buffer buffer
                           (if (= tick (buffer-chars-modified-tick))
                               (funcall then answer)
                             (funcall otherwise "the text has changed meanwhile; nothing was written")))))
                     otherwise)))

(defun quickfill--apply-edit (edit)
  "Make a workspace EDIT."
  (if (quickfill--eglot-server)
      (let ((eglot-confirm-server-edits nil))
        (eglot--apply-workspace-edit edit 'quickfill))
    (lsp--apply-workspace-edit edit)))

(defun quickfill--run-command (command)
  "Do what COMMAND of a code action is for.
The server has the edit applied when it is found.  Nobody waits for it,
since Eglot and lsp-mode would do so for ten seconds only."
  (if (equal (quickfill--get command :command) "quickfill.askInstruction")
      (quickfill--ask-instruction (seq-elt (quickfill--get command :arguments) 0))
    (quickfill--send "workspace/executeCommand"
                     (list :command (quickfill--get command :command) :arguments (quickfill--get command :arguments))
                     #'ignore #'quickfill--say)))

(provide 'quickfill-connection)
;;; quickfill-connection.el ends here
