//! The design system: what every page is made of. Pages use these and the classes of `style/`, nothing else.
//!
//! No view here carries a `style` attribute (the content security policy forbids it); geometry is classes and SVG
//! attributes. Ids come from names, so that server and browser render the same. `/ui` shows every part in every state.

mod badge;
mod button;
mod chart;
mod check_list;
mod combobox;
mod dialog;
mod facts;
mod form;
mod icon;
mod input;
mod list;
mod loaded;
mod note;
mod page;
mod pick;
mod poll;
mod progress;
pub mod query;
mod rows;
mod scope;
mod table;
pub mod time;
mod toast;

pub use crate::format;
pub use badge::{Badge, Chip, Tone};
pub use button::{Button, LinkButton, RowMenu, SubmitButton};
pub use chart::{Donut, Funnel, FunnelStep, LineChart, Series, Slice, StackedBar};
pub use check_list::{CheckItem, CheckList};
pub use combobox::{Choices, Combobox};
pub use dialog::{Confirm, ConfirmAction, Dialog, close_dialog, open_dialog};
pub use facts::{CodeBlock, Fact, Facts, Tile, Tiles};
pub use form::{CellError, Corrections, Field, FormErrors, SelectOption, correctable, corrected, field_errors};
pub use icon::{Glyph, Icon};
pub use input::{DateTimeField, Select, TextArea, TextInput};
pub use list::{ListParams, use_list_params};
pub use loaded::Loaded;
pub use note::{EmptyState, ErrorNote, Note, Skeleton};
pub use page::{PageHeader, Panel, Stepper, Tabs};
pub use pick::{Choice, MultiSelect, Switch};
pub use poll::follow;
pub use progress::Progress;
pub use rows::form_rows;
pub use scope::Scope;
pub use table::{FilterDay, FilterSelect, Filters, KeysetPager, Pager, SortTh, TableWrap};
pub use time::{Time, UserZone};
pub use toast::{Toasts, use_toasts};
