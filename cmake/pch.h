// Precompiled header of every room that uses tensors. Narrow on purpose: each file pays again for the templates in it
// (torch/torch.h doubles build time, torch/nn/module.h costs two seconds a file).
#pragma once
#include <ATen/ATen.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>
