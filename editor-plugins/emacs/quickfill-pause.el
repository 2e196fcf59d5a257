;;; quickfill-pause.el --- Suggestions that nobody asked for, paused  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; A part of quickfill.el.  A pause is of a project or of one file, for a time or until it is ended, and is remembered from
;; one session to the next.

;;; Code:

(require 'project)
(require 'quickfill-connection)
(require 'seq)

(defcustom quickfill-pause-file (locate-user-emacs-file "quickfill-paused.eld")
  "Where pauses are remembered."
  :group 'quickfill
  :type 'file)

(defvar quickfill--pauses 'unread
  "When the pauses of files and of projects' folders end.
An alist; seconds since 1970, or t for no end.")

(defun quickfill--read-pauses ()
  "What is remembered of pauses.  A file that cannot be read is as none."
  (when (eq quickfill--pauses 'unread)
    (setq quickfill--pauses
          (ignore-errors (with-temp-buffer
                           (insert-file-contents quickfill-pause-file)
                           (let ((read (read (current-buffer))))
                             (and (seq-every-p #'consp read) read))))))
  quickfill--pauses)

(defun quickfill--set-pause (where end)
  "Let the pause of WHERE end at END, t for never, nil for now, and remember that."
  (setq quickfill--pauses (assoc-delete-all where (quickfill--read-pauses)))
  (when end
    (push (cons where end) quickfill--pauses))
  (make-directory (file-name-directory quickfill-pause-file) t)
  (with-temp-file quickfill-pause-file
    (let (print-length print-level)
      (prin1 quickfill--pauses (current-buffer))))
  (force-mode-line-update t))

(defun quickfill--pause-places ()
  "What a pause in this buffer may be of.
The file, or else the buffer's name, and the project or folder."
  (list (or buffer-file-name (buffer-name))
        (expand-file-name (if-let* ((project (project-current))) (project-root project) default-directory))))

(defun quickfill--pause-left ()
  "Seconds until suggestions come again in this buffer.
Nil if they are not paused, t if the pause does not end by itself."
  (let ((ends (delq nil (mapcar (lambda (place) (cdr (assoc place (quickfill--read-pauses)))) (quickfill--pause-places)))))
    (if (memq t ends)
        t
      (let ((left (- (apply #'max 0 ends) (float-time))))
        (and (> left 0) left)))))

(defun quickfill--seconds (time)
  "Seconds of TIME, a text as 10m, 1h or 30s; minutes if it is a number alone."
  (unless (string-match "\\`\\([0-9]+\\)\\([smh]?\\)\\'" time)
    (user-error "%s is not a time; write 10m, 1h or 30s" time))
  (* (string-to-number (match-string 1 time))
     (pcase (match-string 2 time) ("s" 1) ("h" 3600) (_ 60))))

(defun quickfill--pause-words (left)
  "A pause of which LEFT is left, in words."
  (cond ((eq left t) "paused")
        ((< left 60) (format "paused for %d s" (ceiling left)))
        ((< left 3600) (format "paused for %d min" (ceiling (/ left 60))))
        (t (format "paused for %.1f h" (/ left 3600)))))

;;;###autoload
(defun quickfill-pause (time &optional only-here)
  "Suggest nothing unasked in this project for TIME, as 10m.
If it is empty, until `quickfill-resume'.
With ONLY-HERE, interactively a prefix argument, in this file alone."
  (interactive (list (read-string "Pause suggestions for how long? (10m, 1h; empty: until quickfill-resume) ")
                     current-prefix-arg))
  (quickfill--set-pause (nth (if only-here 0 1) (quickfill--pause-places))
                        (if (string-empty-p time) t (+ (float-time) (quickfill--seconds time))))
  (quickfill--say (format "%s in %s" (quickfill--pause-words (quickfill--pause-left))
                          (if only-here "this file" "this project"))))

(defun quickfill-resume ()
  "End the pause of this file and of its project."
  (interactive)
  (dolist (place (quickfill--pause-places))
    (quickfill--set-pause place nil))
  (quickfill--say "suggestions come again"))

(defun quickfill-mode-line ()
  "What Quickfill does, for the mode line."
  (let ((left (quickfill--pause-left)))
    (cond (left (concat "Quickfill " (quickfill--pause-words left)))
          ((member quickfill--state '("" "ready")) "Quickfill")
          (t (concat "Quickfill:" quickfill--state)))))

(provide 'quickfill-pause)
;;; quickfill-pause.el ends here
