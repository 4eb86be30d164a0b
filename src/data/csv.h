// Comma-separated values, row by row (RFC 4180).
#pragma once
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace orrery {

// Cells are separated by commas and may be quoted ("" is a quote inside); rows end in LF or CRLF; a byte-order mark and empty
// lines are passed over. Throws Error "FILE:LINE: ..." on a stray or unclosed quote.
class CsvReader {
 public:
  explicit CsvReader(const std::filesystem::path& path);

  bool Next(std::vector<std::string>& cells);  // false at the end
  int64_t Line() const { return row_line_; }   // where the row of the last Next() begins, counted from 1
  int64_t LastLine() const { return line_; }   // lines read so far
  std::string Where() const;                   // "FILE:LINE"

 private:
  bool ReadLine(std::string& line);
  void Split(std::string& line, std::vector<std::string>& cells);

  std::string path_;
  std::ifstream in_;
  int64_t line_ = 0, row_line_ = 0;
};

}  // namespace orrery
