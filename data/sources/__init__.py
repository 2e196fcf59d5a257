"""Where source code comes from. Each source yields files one by one; none holds more than one of them in memory."""
