//! The platform seen from outside; see `journeys/`.
