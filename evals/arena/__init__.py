"""Which of two runs do people prefer, when they do not know which is which?"""
