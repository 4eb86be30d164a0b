#include "data/csv.h"

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace orrery {

CsvReader::CsvReader(const std::filesystem::path& path) : path_(path.string()), in_(path, std::ios::binary) {
  if (std::filesystem::is_directory(path)) Fail("cannot read {}: it is a folder", path_);
  if (!in_) Fail("cannot read {}: {}", path_, std::strerror(errno));
}

std::string CsvReader::Where() const { return fmt::format("{}:{}", path_, row_line_); }

bool CsvReader::ReadLine(std::string& line) {
  if (!std::getline(in_, line)) {
    if (in_.bad()) Fail("cannot read {}: {}", path_, std::strerror(errno));
    return false;
  }
  if (++line_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  if (line.ends_with('\r')) line.pop_back();
  return true;
}

bool CsvReader::Next(std::vector<std::string>& cells) {
  std::string line;
  do {
    if (!ReadLine(line)) return false;
  } while (line.empty());
  row_line_ = line_;
  cells.clear();
  Split(line, cells);
  return true;
}

void CsvReader::Split(std::string& line, std::vector<std::string>& cells) {
  size_t i = 0;
  while (true) {
    std::string cell;
    if (i < line.size() && line[i] == '"') {
      for (++i;; ++i) {
        if (i == line.size()) {  // a quoted cell goes on in the next line
          if (!ReadLine(line)) Fail("{}: a quote is not closed", Where());
          cell += '\n';
          i = static_cast<size_t>(-1);
        } else if (line[i] != '"') {
          cell += line[i];
        } else if (i + 1 < line.size() && line[i + 1] == '"') {
          cell += line[i++];
        } else {
          break;
        }
      }
      if (++i < line.size() && line[i] != ',') Fail("{}: expected a comma after a closing quote", Where());
    } else {
      const size_t end = std::min(line.find(',', i), line.size());
      cell = line.substr(i, end - i);
      if (cell.find('"') != std::string::npos) Fail("{}: a quote inside of an unquoted cell", Where());
      i = end;
    }
    cells.push_back(std::move(cell));
    if (i >= line.size()) return;
    ++i;
  }
}

}  // namespace orrery
