"""The handlers of requests and notifications, by feature. They are short: the work is done in `suggest` and `edit`."""
