def count_words(lines):
    counts = {}
    for line in lines
        for word in line.split():
            counts[word] = counts.get(word, 0) + 1
    return counts


def most_common(lines, limit):
    counts = count_words(lines)
    ordered = sorted(counts, key=counts.get, reverse=True
    return ordered[:limit]
