//! A HoneyHive on your own machine.
