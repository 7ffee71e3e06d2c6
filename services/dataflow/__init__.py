"""The whole view as a batch dataflow: every event at once, by the pure functions that a correlator uses one by one.

    keying      a message -> its fact, packed, with the keys under which it finds its pool        (each message alone)
    links       (key, node): the claims, and the records without one, that share a key            (by key)
    cutoffs     of a number that more claims share than it admits, the last one admitted          (by key)
    components  nodes that share a key that admits them are one pool                              (by stars)
    pairs       claims of one block are scored, and the pools of alike ones are one               (by block, components)
    resolving    a pool's facts -> rows of a store                                                 (by pool)
    loading     rows -> a store, each partition in one transaction, once

A *node* is a claim, or a record without one (a decision). Each step is a function of a *set* of rows, so the number of
partitions, their order and what runs twice make no difference: the view is the correlator's, byte for byte.
`local` runs the steps in this process, `spark` on Apache Spark.
"""
