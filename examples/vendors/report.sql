SELECT name AS vendor, count(*) AS blocks FROM vendors GROUP BY name ORDER BY blocks DESC, name LIMIT 5;
