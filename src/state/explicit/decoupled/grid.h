// A grid of cells that points write into and read from, bilinearly, frame after frame. B batch, T frames, P points a frame, G x G cells,
// C channels, of which the last is mass: a cell holds sums, and what it knows is its sums over its mass.
#pragma once
#include <ATen/core/Tensor.h>

namespace orrery {

struct GridPoints {
  at::Tensor cell;    // [B, T, P, 4] int32: the four nearest cells, row by row; -1: beyond the grid
  at::Tensor weight;  // [B, T, P, 4] fp32, summing to 1
};

// place [B, T, P, 2]: column and row in cells; (0, 0) is the middle of cell 0, cell = row * size + column.
GridPoints LocatePoints(const at::Tensor& place, int64_t size);

// grid [B, G G, C] -> [B, T, P, C]: sums at the points, cells beyond the grid being empty.
at::Tensor ReadGrid(const at::Tensor& grid, const GridPoints& points);

// Adds values [B, T, P, C], mass >= 0, frame after frame, to `grid` in place. Before a frame adds to a cell, the cell's channels are scaled
// down to a mass of at most `keep`, so that what changed is forgotten. fp32; computed on the CPU wherever the tensors are.
void WriteGrid(at::Tensor& grid, const at::Tensor& values, const GridPoints& points, double keep);

// Frame t reads its points, then writes its values there: what ReadGrid would give before each frame's WriteGrid, [B, T, P, C], with
// gradients to `values` (the scaling down counts as constant). Leaves the last grid in `grid`.
at::Tensor ScanGrid(at::Tensor& grid, const at::Tensor& values, const GridPoints& points, double keep);

}  // namespace orrery
