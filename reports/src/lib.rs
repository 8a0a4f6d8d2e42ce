//! Results of a certification run as data, and their renderings.
