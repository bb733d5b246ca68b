"""Golden values from Keras: one table of cases, a generator and the stored numbers."""
