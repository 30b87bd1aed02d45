"""The domain: values and columns in, values and columns out. Input and output happen in ``store`` only."""
