// What there is to try.

export const LANGUAGES = ["python", "javascript", "typescript", "go", "rust", "java", "c", "cpp"];

// fewestLines: of each hole, where less would not be what the example is about.
export const EXAMPLES = [
  {
    name: "A whole function",
    language: "python",
    fewestLines: 5,
    text: `def oldest(ages):
    """Return the highest of the ages."""
    result = ages[0]
    for age in ages:
        if age > result:
            result = age
    return result


def tallest(heights):
    """Return the greatest of the heights."""
    <fill>
`,
  },
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
