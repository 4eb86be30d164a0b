// Precompiled header of the tests of tensor rooms.
#pragma once
#include "pch.h"

#include <gtest/gtest.h>
