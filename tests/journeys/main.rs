//! Journeys through the platform, seen from outside: the program is started as its users start it.

mod architecture;
