"""The index: facts in columns, features cut into cells, clauses as masks, deadlines in time order."""
