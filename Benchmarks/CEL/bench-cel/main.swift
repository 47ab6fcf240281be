measurePatterns()
