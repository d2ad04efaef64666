//! The log from outside: what is written, who may read it, and what its check finds.

mod chain;
mod pages;
mod records;
