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
;;     (add-to-list 'load-path "FOLDER/OF/THIS/FILE")
;;     (require 'quickfill)
;;     (quickfill-setup-eglot)     ; or (quickfill-setup-lsp-mode)

;;; Code:

(require 'cl-lib)
(require 'quickfill-connection)
(require 'quickfill-pause)
(require 'quickfill-preview)
(require 'seq)

(defcustom quickfill-delay 0.2
  "Seconds without a command after which a suggestion is asked for."
  :group 'quickfill
  :type 'number)

(defcustom quickfill-mark "<fill>"
  "What stands for a hole in a text, for `quickfill-fill'."
  :group 'quickfill
  :type 'string)

;;;; What is suggested, shown until anything else happens

(cl-defstruct quickfill-suggestion
  "TEXT in place of what is between BEGINNING and END.
COMMAND tells the server that it was accepted, NEXT is whether it is a next edit."
  beginning end text command next)

(defvar-local quickfill--suggestions nil "What there is to show, the first one being shown.")
(defvar-local quickfill--overlay nil "What shows the suggestion.  Its keys are there as long as this is non-nil.")
(defvar-local quickfill--shown-at nil "The buffer's tick and point for which the suggestion is right.")
(defvar-local quickfill--asked-at nil "The buffer's tick that suggestions were asked for last.")
(defvar-local quickfill--waiting nil "The buffer's tick and point where the user may still wait for a suggestion.")
(defvar quickfill--timer nil "Asks for a suggestion when there was no command for a while.")
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
    (setq quickfill--asked-at (car here)
          quickfill--waiting here)
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
      (when (and quickfill-mode (quickfill--eglot-server) (not (use-region-p)) (not quickfill--preview)
                 (not (quickfill--pause-left)))
        (quickfill--suggest 2)))))

(defun quickfill--suggest-again ()
  "Ask again in the selected window, if nothing has happened there since."
  (with-current-buffer (window-buffer)
    (when (and quickfill--waiting (equal quickfill--waiting (quickfill--here)))
      (quickfill--suggest-in (current-buffer)))))

;;;###autoload
(define-minor-mode quickfill-mode
  "Show what could stand at point as ghost text.
For buffers that Eglot has connected to Quickfill."
  :lighter (:eval (concat " " (quickfill-mode-line)))
  (quickfill--clear)
  (if quickfill-mode
      (progn (setq quickfill--asked-at (buffer-chars-modified-tick))
             (add-hook 'post-command-hook #'quickfill--after-command nil t))
    (remove-hook 'post-command-hook #'quickfill--after-command t)))

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
  "Write the next word of what is suggested.
A docstring is taken by its line: its quotes alone would make a
string of all that follows."
  (interactive)
  (quickfill--accept-part "\\`[[:space:]\n]*\\(?:\"\"\"\\|'''\\)[^\n]*\\|\\`[[:space:]\n]*\\(?:[[:alnum:]_]+\\|[^[:alnum:]_[:space:]\n]+\\)"))

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
  (setq quickfill--asked-at (buffer-chars-modified-tick)
        quickfill--waiting nil)
  (quickfill--clear))

(defun quickfill-suggest ()
  "Ask for suggestions here, however unsure they are."
  (interactive)
  (quickfill--suggest 1))

(defun quickfill--edit-with (method params doing then)
  "Request METHOD with PARAMS, and give THEN the edit that it is answered with.
Meanwhile the user is told what Quickfill is DOING."
  (quickfill--say (concat doing "…"))
  (quickfill--request
   method params
   (lambda (edit)
     (if edit
         (funcall then edit)
       (quickfill--say "nothing better was found")))
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
  (let* ((marks (quickfill--holes))
         (holes (if (seq-empty-p marks) (vector (quickfill--range (point) (point))) marks))
         (count (if (= (length holes) 1) "1 hole" (format "%d holes" (length holes))))
         (started (float-time)))
    (quickfill--edit-with
     "quickfill/fill" (list :ranges holes) (concat "filling " count)
     (lambda (edit)
       (quickfill--apply-edit edit)
       (quickfill--say (format "filled %s in %.1f s; undo takes it back" count (- (float-time) started)))))))

(defun quickfill--rewrite (range instruction)
  "Show how to rewrite RANGE, in the protocol's terms, as INSTRUCTION says."
  (quickfill--edit-with "quickfill/edit" (list :range range :instruction instruction) "rewriting" #'quickfill--preview))

(defun quickfill--read-instruction ()
  "Ask how to rewrite code."
  (read-string "What should change? (empty: Quickfill decides) "))

(defun quickfill-edit (beginning end instruction)
  "Show how to rewrite the text from BEGINNING to END as INSTRUCTION says.
Interactively this is the region, or the function around point."
  (interactive (pcase-let ((`(,beginning . ,end) (if (use-region-p) (car (region-bounds)) (bounds-of-thing-at-point 'defun))))
                 (unless beginning
                   (user-error "There is no function here; select the lines to rewrite"))
                 (list beginning end (quickfill--read-instruction))))
  (quickfill--rewrite (quickfill--range beginning end) instruction))

(defun quickfill--ask-instruction (argument)
  "Ask how to rewrite what the ARGUMENT of a code action names."
  (quickfill--rewrite (quickfill--get argument :range) (quickfill--read-instruction)))

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
