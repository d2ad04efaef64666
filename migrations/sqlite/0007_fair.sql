-- When a send began, was resumed or sent again last: from then on it is tried for as long as the settings say. The
-- same in both databases. Null in those that began before there was this column: they count from their start.
alter table sends add column going_since bigint;
