"""What people see: folium maps, pictures, documents, in Chinese and English."""
