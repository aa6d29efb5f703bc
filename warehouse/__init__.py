"""SQL of the warehouse: views and macros. Its data files lie beside it, untracked."""
