"""Audit: the journal in one order, sealed, searched and proven.

Owns: the order of the journal's entries, their Merkle tree (RFC 6962), signed checkpoints (C2SP), what outside witnesses have seen, and
the search over entries.
Tables: schema `audit` (log, tile, checkpoint, witness, event); reads `kernel.audit_entry`, which every module writes.
Invariants: leaf n of the tree is the n-th entry by (xid, position); a checkpoint is signed over a tree that only grows; whoever reads the
journal leaves an entry in it.
Must never: change or delete an entry, sign a size smaller than one signed before, or take part in the transaction of a deed.
"""
