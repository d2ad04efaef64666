//! Charts, drawn as SVG on the server. Text is HTML, so that it keeps its size; every number can also be read.

mod funnel;
mod line;
mod scale;
mod shares;

pub use funnel::{Funnel, FunnelStep};
pub use line::{LineChart, Series};
pub use shares::{Donut, Slice, StackedBar};
