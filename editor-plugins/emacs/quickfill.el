;;; quickfill.el --- Whole-block suggestions from a diffusion model, offline  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0
;; Version: 0.1.0
;; Package-Requires: ((emacs "30.1"))
;; Keywords: convenience, languages

;;; Commentary:

;; Connects Emacs to the language server `quickfill lsp'.  With Eglot it is the server of a buffer, and this file shows its
;; suggestions as ghost text; with lsp-mode 10 it runs beside the language's own, and lsp-mode shows them.  Filling holes,
;; rewriting a region and next edits work with both.
;;
;;     (require 'quickfill)
;;     (quickfill-setup-eglot)     ; or (quickfill-setup-lsp-mode)

;;; Code:

(require 'cl-lib)
(require 'eglot)
(require 'seq)

(defgroup quickfill nil "Whole-block suggestions from a diffusion model." :group 'tools)

(defcustom quickfill-command '("quickfill" "lsp")
  "How to start the server."
  :type '(repeat string))

(defcustom quickfill-settings nil
  "The server's own settings, a property list: (:gate 0.3 :nextEdit :json-false)."
  :type 'plist)

(defcustom quickfill-delay 0.2
  "Seconds without a command after which a suggestion is asked for."
  :type 'number)

(defcustom quickfill-mark "<fill>"
  "What stands for a hole in a text, for `quickfill-fill'."
  :type 'string)

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

(defface quickfill-ghost '((t :inherit shadow :slant italic)) "What a suggestion would write.")
(defface quickfill-replaced '((t :strike-through t :inherit shadow)) "What a next edit would replace.")

;;;; The server, through Eglot or lsp-mode

(defclass quickfill-server (eglot-lsp-server) () :documentation "A Quickfill language server.")

(cl-defmethod eglot-initialization-options ((_server quickfill-server))
  "The user's settings."
  (or quickfill-settings (make-hash-table)))

(cl-defmethod eglot-client-capabilities ((_server quickfill-server))
  "Eglot's own, with ghost text and the question for an instruction."
  (let ((capabilities (copy-tree (cl-call-next-method))))
    (plist-put (plist-get capabilities :textDocument) :inlineCompletion '(:dynamicRegistration :json-false))
    (plist-put capabilities :experimental '(:quickfill (:askInstruction t :actionCommands t)))))

(cl-defmethod eglot-handle-notification
  ((_server quickfill-server) (_method (eql quickfill/didChangeStatus)) &key state &allow-other-keys)
  "Show STATE in the mode lines."
  (quickfill--set-state state))

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

(declare-function lsp--cur-position "lsp-mode")
(declare-function lsp--point-to-position "lsp-mode" (point))
(declare-function lsp--range-to-region "lsp-mode" (range))
(declare-function lsp--versioned-text-document-identifier "lsp-mode")
(declare-function lsp--apply-workspace-edit "lsp-mode" (edit &optional operation))
(declare-function lsp--client-server-id "lsp-mode" (client))
(declare-function lsp--workspace-client "lsp-mode" (workspace))
(declare-function lsp-notify "lsp-mode" (method params))
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

(defun quickfill--run-command (command)
  "Do what COMMAND of a code action is for.
The server has the edit applied when it is found.  Nobody waits for it,
since Eglot and lsp-mode would do so for ten seconds only."
  (if (equal (quickfill--get command :command) "quickfill.askInstruction")
      (quickfill--ask-instruction (seq-elt (quickfill--get command :arguments) 0))
    (quickfill--send "workspace/executeCommand"
                     (list :command (quickfill--get command :command) :arguments (quickfill--get command :arguments))
                     #'ignore #'quickfill--say)))

(defun quickfill--say (message)
  "Tell the user MESSAGE."
  (message "Quickfill: %s" message))

;;;; What is suggested, shown until anything else happens

(cl-defstruct quickfill-suggestion
  "TEXT in place of what is between BEGINNING and END.
COMMAND tells the server that it was accepted, NEXT is whether it is a next edit."
  beginning end text command next)

(defvar-local quickfill--suggestions nil "What there is to show, the first one being shown.")
(defvar-local quickfill--overlay nil "What shows the suggestion.  Its keys are there as long as this is non-nil.")
(defvar-local quickfill--shown-at nil "The buffer's tick and point for which the suggestion is right.")
(defvar-local quickfill--asked-at nil "The buffer's tick that suggestions were asked for last.")
(defvar quickfill--timer nil "Asks for a suggestion when there was no command for a while.")
(defvar quickfill--state "" "What the server last said of itself.")
(defvar quickfill-mode)

(defvar-keymap quickfill-suggestion-map
  :doc "Keys while a suggestion is shown."
  "TAB" #'quickfill-accept
  "<tab>" #'quickfill-accept
  "<remap> <forward-word>" #'quickfill-accept-word
  "<remap> <move-end-of-line>" #'quickfill-accept-line
  "M-n" #'quickfill-next-alternative
  "<remap> <keyboard-quit>" #'quickfill-dismiss)

(add-to-list 'emulation-mode-map-alists `((quickfill--overlay . ,quickfill-suggestion-map)))

(defun quickfill--here ()
  "What has to stay as it is while a suggestion is shown."
  (cons (buffer-chars-modified-tick) (point)))

(defun quickfill--clear ()
  "Show nothing."
  (when quickfill--overlay
    (delete-overlay quickfill--overlay))
  (setq quickfill--overlay nil quickfill--suggestions nil))

(defun quickfill--show (suggestions)
  "Show the first of SUGGESTIONS."
  (quickfill--clear)
  (when-let* ((suggestion (car suggestions)))
    (let* ((beginning (quickfill-suggestion-beginning suggestion))
           (end (quickfill-suggestion-end suggestion))
           (ghost (propertize (quickfill-suggestion-text suggestion) 'face 'quickfill-ghost)))
      (setq quickfill--suggestions suggestions
            quickfill--shown-at (quickfill--here)
            quickfill--overlay (make-overlay beginning end))
      (unless (string-empty-p ghost)
        (put-text-property 0 1 'cursor t ghost))
      (cond ((quickfill-suggestion-next suggestion)
             (overlay-put quickfill--overlay 'face 'quickfill-replaced))
            ((< beginning end)
             (overlay-put quickfill--overlay 'display "")))
      (overlay-put quickfill--overlay 'after-string ghost)
      (add-hook 'post-command-hook #'quickfill--after-command nil t))))

(defun quickfill--suggestion-of (item)
  "What ITEM of an inline completion would write behind point.
Nil if it is about another place."
  (pcase-let* ((`(,beginning . ,end) (quickfill--region (quickfill--get item :range)))
               (typed (buffer-substring-no-properties (min beginning (point)) (point)))
               (text (quickfill--get item :insertText)))
    (when (and (<= beginning (point) end) (string-prefix-p typed text) (not (equal typed text)))
      (make-quickfill-suggestion :beginning (point) :end end :text (substring text (length typed))
                                 :command (quickfill--get item :command)))))

(defun quickfill--suggest (trigger)
  "Ask for what could stand at point.
TRIGGER is 1 if the user wants it, 2 otherwise."
  (let ((here (quickfill--here)))
    (setq quickfill--asked-at (car here))
    (quickfill--request
     "textDocument/inlineCompletion" (list :position (quickfill--position (point)) :context (list :triggerKind trigger))
     (lambda (answer)
       (when (equal here (quickfill--here))
         (quickfill--show (delq nil (mapcar #'quickfill--suggestion-of (quickfill--get answer :items))))
         (when (and (= trigger 1) (not quickfill--overlay))
           (quickfill--say "nothing to suggest here"))))
     #'ignore)))

(defun quickfill--type-along ()
  "Keep what is left of the suggestion if its beginning was typed.
Returns whether it was."
  (let* ((suggestion (car quickfill--suggestions))
         (beginning (quickfill-suggestion-beginning suggestion))
         (text (quickfill-suggestion-text suggestion)))
    (when (and (eq this-command 'self-insert-command) (= beginning (cdr quickfill--shown-at)) (< beginning (point))
               (< (- (point) beginning) (length text))
               (not (quickfill-suggestion-next suggestion))
               (= (quickfill-suggestion-end suggestion) beginning)
               (string-prefix-p (buffer-substring-no-properties beginning (point)) text))
      (let ((rest (copy-quickfill-suggestion suggestion)))
        (setf (quickfill-suggestion-text rest) (substring text (- (point) beginning))
              (quickfill-suggestion-beginning rest) (point)
              (quickfill-suggestion-end rest) (point))
        (quickfill--show (list rest))
        t))))

(defun quickfill--after-command ()
  "Take away what no longer belongs here, and ask anew after a change."
  (when (and quickfill--overlay (not (equal quickfill--shown-at (quickfill--here))) (not (quickfill--type-along)))
    (quickfill--clear))
  (when (timerp quickfill--timer)
    (cancel-timer quickfill--timer))
  (when (and quickfill-mode (not quickfill--overlay) (not (eql quickfill--asked-at (buffer-chars-modified-tick))))
    (setq quickfill--timer (run-with-timer quickfill-delay nil #'quickfill--suggest-in (current-buffer)))))

(defun quickfill--suggest-in (buffer)
  "Ask for a suggestion if the user is still in BUFFER."
  (when (and (eq buffer (window-buffer)) (buffer-live-p buffer))
    (with-current-buffer buffer
      (when (and quickfill-mode (quickfill--eglot-server) (not (use-region-p)))
        (quickfill--suggest 2)))))

;;;###autoload
(define-minor-mode quickfill-mode
  "Show what could stand at point as ghost text.
For buffers that Eglot has connected to Quickfill."
  :lighter (:eval (concat " Quickfill" (unless (member quickfill--state '("" "ready")) (concat ":" quickfill--state))))
  (quickfill--clear)
  (if quickfill-mode
      (progn (setq quickfill--asked-at (buffer-chars-modified-tick))
             (add-hook 'post-command-hook #'quickfill--after-command nil t))
    (remove-hook 'post-command-hook #'quickfill--after-command t)))

(defun quickfill--set-state (state)
  "Remember the STATE of the server, and show it."
  (setq quickfill--state state)
  (force-mode-line-update t))

;;;; What a user does with it

(defun quickfill--accept (text)
  "Write TEXT, the suggestion's or a beginning of it.  Returns the suggestion."
  (let* ((suggestion (car quickfill--suggestions))
         (whole (equal text (quickfill-suggestion-text suggestion))))
    (quickfill--clear)
    (undo-boundary)
    (goto-char (quickfill-suggestion-beginning suggestion))
    (when whole
      (delete-region (point) (quickfill-suggestion-end suggestion)))
    (insert text)
    (when-let* ((command (and whole (quickfill-suggestion-command suggestion))))
      (quickfill--run-command command))
    suggestion))

(defun quickfill-accept ()
  "Write what is suggested.  After a next edit, show the one that follows."
  (interactive)
  (let ((suggestion (quickfill--accept (quickfill-suggestion-text (car quickfill--suggestions)))))
    (when (quickfill-suggestion-next suggestion)
      (quickfill-next-edit))))

(defun quickfill--accept-part (pattern)
  "Write the beginning of the suggestion that matches PATTERN, and show the rest."
  (let* ((suggestion (car quickfill--suggestions))
         (text (quickfill-suggestion-text suggestion))
         (part (if (string-match pattern text) (match-string 0 text) text)))
    (if (or (equal part text) (quickfill-suggestion-next suggestion))
        (quickfill-accept)
      (let ((behind (- (quickfill-suggestion-end suggestion) (quickfill-suggestion-beginning suggestion))))
        (quickfill--accept part)
        (setq quickfill--asked-at (buffer-chars-modified-tick))
        (quickfill--show (list (make-quickfill-suggestion
                                :beginning (point) :end (+ (point) behind) :text (substring text (length part))
                                :command (quickfill-suggestion-command suggestion))))))))

(defun quickfill-accept-word ()
  "Write the next word of what is suggested."
  (interactive)
  (quickfill--accept-part "\\`[[:space:]\n]*\\(?:[[:alnum:]_]+\\|[^[:alnum:]_[:space:]\n]+\\)"))

(defun quickfill-accept-line ()
  "Write the next line of what is suggested."
  (interactive)
  (quickfill--accept-part "\\`[[:space:]\n]*[^\n]+"))

(defun quickfill-next-alternative ()
  "Show another suggestion for the same place."
  (interactive)
  (quickfill--show (append (cdr quickfill--suggestions) (list (car quickfill--suggestions)))))

(defun quickfill-dismiss ()
  "Show nothing until the text changes."
  (interactive)
  (setq quickfill--asked-at (buffer-chars-modified-tick))
  (quickfill--clear))

(defun quickfill-suggest ()
  "Ask for suggestions here, however unsure they are."
  (interactive)
  (quickfill--suggest 1))

(defun quickfill--edit-with (method params)
  "Request METHOD with PARAMS, and make the edit that it is answered with."
  (quickfill--request
   method params
   (lambda (edit)
     (cond ((null edit) (quickfill--say "nothing better was found"))
           ((quickfill--eglot-server)
            (let ((eglot-confirm-server-edits nil))
              (eglot--apply-workspace-edit edit 'quickfill)))
           (t (lsp--apply-workspace-edit edit))))
   #'quickfill--say))

(defun quickfill--holes ()
  "The ranges of the marks of this buffer, a vector."
  (save-excursion
    (goto-char (point-min))
    (vconcat (cl-loop while (search-forward quickfill-mark nil t)
                      collect (quickfill--range (match-beginning 0) (match-end 0))))))

(defun quickfill-fill ()
  "Fill every `quickfill-mark' of the buffer, or point where there is none."
  (interactive)
  (let ((holes (quickfill--holes)))
    (quickfill--edit-with
     "quickfill/fill" (list :ranges (if (seq-empty-p holes) (vector (quickfill--range (point) (point))) holes)))))

(defun quickfill-edit (beginning end instruction)
  "Rewrite what is between BEGINNING and END as INSTRUCTION says.
Interactively this is the region, or the function around point."
  (interactive (pcase-let ((`(,beginning . ,end) (if (use-region-p) (car (region-bounds)) (bounds-of-thing-at-point 'defun))))
                 (list beginning end (read-string "What should become of it? "))))
  (quickfill--edit-with "quickfill/edit" (list :range (quickfill--range beginning end) :instruction instruction)))

(defun quickfill--ask-instruction (argument)
  "Ask how to rewrite what the ARGUMENT of a code action names."
  (quickfill--edit-with "quickfill/edit" (list :range (quickfill--get argument :range)
                                               :instruction (read-string "What should become of it? "))))

(defun quickfill-next-edit ()
  "Show what is likely to be changed next, after what was changed last."
  (interactive)
  (quickfill--request
   "quickfill/nextEdit" (list :position (quickfill--position (point)) :context (list :triggerKind 1))
   (lambda (answer)
     (quickfill--show
      (mapcar (lambda (edit)
                (pcase-let ((`(,beginning . ,end) (quickfill--region (quickfill--get edit :range))))
                  (make-quickfill-suggestion :beginning beginning :end end :text (quickfill--get edit :text)
                                             :command (quickfill--get edit :command) :next t)))
              (quickfill--get answer :edits)))
     (if-let* ((suggestion (car quickfill--suggestions)))
         (quickfill--say (format "%s in line %d: TAB does it"
                                 (quickfill--get (seq-elt (quickfill--get answer :edits) 0) :title)
                                 (line-number-at-pos (quickfill-suggestion-beginning suggestion))))
       (quickfill--say "nothing seems to follow")))
   #'quickfill--say))

(provide 'quickfill)
;;; quickfill.el ends here
