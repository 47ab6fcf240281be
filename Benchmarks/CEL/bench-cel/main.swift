measureExpressions()
print()
measurePatterns()
