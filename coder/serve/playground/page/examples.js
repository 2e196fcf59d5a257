// What there is to try.

export const LANGUAGES = ["python", "javascript", "typescript", "go", "rust", "java", "c", "cpp"];

export const EXAMPLES = [
  {
    name: "Two holes",
    language: "python",
    text: `class Stack:
    def __init__(self):
        self.items = []

    def push(self, item):
        <fill>

    def pop(self):
        return <fill>
`,
  },
  {
    name: "A class",
    language: "python",
    text: `class Point:
    def __init__(self, x, y):
        <fill>

    def moved(self, dx, dy):
        return Point(<fill>)
`,
  },
  {
    name: "Inside a line",
    language: "python",
    text: `names = ["Ada", "Grace", "Alan"]
for index, name in enumerate(<fill>):
    print(<fill>)
`,
  },
  {
    name: "An account",
    language: "python",
    text: `class Account:
    def __init__(self, owner, balance):
        <fill>

    def deposit(self, amount):
        <fill>
`,
  },
  {
    name: "A loop's body",
    language: "python",
    text: `def count_words(text):
    counts = {}
    for word in text.split():
        <fill>
    return counts
`,
  },
];
