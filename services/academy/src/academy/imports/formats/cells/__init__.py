"""Reading columns of text: numbers, dates, symbols that stand for a reason, words of the register and of Ofsted.

`columns` reads a whole column and keeps what is wrong in it; `faults` gathers that for a batch of rows, and finds
keys that a file gives twice.
"""
