//! Audiences in the database.
