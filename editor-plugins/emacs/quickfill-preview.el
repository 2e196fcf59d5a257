;;; quickfill-preview.el --- Rewrites, shown before they are made  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; A part of quickfill.el.  What a rewrite would replace is struck through, what it would write stands behind it as ghost
;; text, and the user takes it or leaves it.

;;; Code:

(require 'eglot)
(require 'quickfill-connection)
(require 'seq)

(defface quickfill-ghost '((t :inherit shadow :slant italic)) "What a suggestion would write."
  :group 'quickfill)
(defface quickfill-replaced '((t :strike-through t :inherit shadow)) "What an edit would replace."
  :group 'quickfill)

(defvar-local quickfill--preview nil
  "The overlays of the edit in sight.
Its keys are there as long as this is non-nil.")
(defvar-local quickfill--preview-edit nil "The workspace edit in sight.")

(defvar-keymap quickfill-preview-map
  :doc "Keys while a rewrite is shown that was not made yet."
  "C-c C-c" #'quickfill-preview-apply
  "C-c C-k" #'quickfill-preview-discard)

(add-to-list 'emulation-mode-map-alists `((quickfill--preview . ,quickfill-preview-map)))

(defun quickfill--edited-buffer (edit)
  "The buffer of the one document that a workspace EDIT is about.
Nil if there are several, or it is not open."
  (when-let* ((documents (quickfill--get edit :documentChanges))
              ((= (length documents) 1)))
    (find-buffer-visiting (eglot-uri-to-path (quickfill--get (quickfill--get (seq-elt documents 0) :textDocument) :uri)))))

(defun quickfill--preview-of (text-edit)
  "An overlay that shows what TEXT-EDIT would change."
  (pcase-let* ((`(,beginning . ,end) (quickfill--region (quickfill--get text-edit :range)))
               (overlay (make-overlay beginning end)))
    (overlay-put overlay 'face 'quickfill-replaced)
    (overlay-put overlay 'after-string (propertize (quickfill--get text-edit :newText) 'face 'quickfill-ghost))
    overlay))

(defun quickfill--preview (edit)
  "Show what a workspace EDIT would change.  The user's keys make it or discard it.
An edit of other documents than an open one is made at once."
  (if-let* ((buffer (quickfill--edited-buffer edit)))
      (with-current-buffer buffer
        (quickfill--end-preview)
        (setq quickfill--preview-edit edit
              quickfill--preview (mapcar #'quickfill--preview-of
                                         (quickfill--get (seq-elt (quickfill--get edit :documentChanges) 0) :edits)))
        (add-hook 'after-change-functions #'quickfill--end-preview nil t)
        (quickfill--say (format "a rewrite is shown in line %d; C-c C-c makes it, C-c C-k discards it"
                                (line-number-at-pos (apply #'min (mapcar #'overlay-start quickfill--preview))))))
    (quickfill--apply-edit edit)))

(defun quickfill--end-preview (&rest _)
  "Show no edit any more: it is made or discarded, or the text has changed."
  (mapc #'delete-overlay quickfill--preview)
  (setq quickfill--preview nil quickfill--preview-edit nil)
  (remove-hook 'after-change-functions #'quickfill--end-preview t))

(defun quickfill-preview-apply ()
  "Make the rewrite that is shown.  One undo takes it back."
  (interactive)
  (let ((edit quickfill--preview-edit))
    (quickfill--end-preview)
    (undo-boundary)
    (quickfill--apply-edit edit)
    (quickfill--say "the rewrite is made; undo takes it back")))

(defun quickfill-preview-discard ()
  "Leave the text as it is."
  (interactive)
  (quickfill--end-preview)
  (quickfill--say "nothing was changed"))

(provide 'quickfill-preview)
;;; quickfill-preview.el ends here
