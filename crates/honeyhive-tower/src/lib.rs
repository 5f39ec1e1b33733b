//! HoneyHive for tower.
