"""Sources of code. Each yields files one by one; none holds more than one of them in memory."""
