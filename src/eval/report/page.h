// The report as one HTML page that stands alone: no scripts, nothing from outside, pictures inside.
#pragma once
#include <string>
#include <vector>

#include "eval/report/result.h"

namespace orrery {

// One evaluation, or several side by side. A red banner stands on top when any sanity row failed.
std::string ReportPage(const std::vector<Evaluation>& evaluations);

// Standard base64 with padding.
std::string Base64(const std::string& bytes);

}  // namespace orrery
