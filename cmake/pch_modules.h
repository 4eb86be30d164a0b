// Precompiled header of the rooms that define modules.
#pragma once
#include "pch.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
