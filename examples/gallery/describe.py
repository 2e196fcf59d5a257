def reverse_words(text):
    return " ".join(reversed(text.split()))


def is_palindrome(text):
    return text == text[::-1]
