-- When a route moved, with what stands around it: its row, its tools, its end. The gateway reads what moved since the
-- generation that it knows. A route that is gone keeps its line.
CREATE TABLE route_changes (
    route TEXT NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL,
    generation BIGINT NOT NULL
);
CREATE INDEX route_changes_by_generation ON route_changes (generation);
