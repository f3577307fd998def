/// What records and batches are made of comes with the engine: `import LogStore` alone is enough.
@_exported public import RecordFormat
