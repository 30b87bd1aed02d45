"""From facts to decisions, over columns: features, signals, scores, explanations, decisions. No input or output."""
