"""The arithmetic of the report: votes, times and costs as numpy columns in, frozen results out; no Django, no clock.

Arms, inputs and raters are whole numbers from 0; chance comes in as a `numpy.random.Generator`.
`docs/methodology.md` says what each figure means, where its formula is from and which worked cases it reproduces.
"""
