// A target of one file would be compiled as a script with a main of its own; libFuzzer brings main.
