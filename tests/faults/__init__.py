"""The campaigns of faults: what breaks in a system like this, done to askmd again and again.

    forks      a process with everything imported, which forks a child for each trial or verdict
    world      a folder of documents, its changes, an index, and what that holds in canonical form
    campaign   trials by number, what each came to, and the run of many with a record to go on from
    <name>     one campaign a module: ``Campaign`` subclasses, short in the tests, long in
               benchmarks/faults.py

A trial is known by its number: the same number does the same again.
"""
